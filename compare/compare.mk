# compare/: configurations side by side, from area, clock, energy, cycles and noise; the sweep behind the Pareto figure.
.PHONY: compare pareto
compare: all cells ## conventional, paper, winners and rivals: area, clock, energy, dB: docs/results/compare.json [LIBERTY=F.lib[.gz]]
	@$(PYTHON) compare/compare.py --build "$(abspath $(BUILD))" $(if $(LIBERTY),--liberty "$(abspath $(LIBERTY))" --output "$(BUILD)/compare.json")

pareto: all cells ## the sweep over streams, formats, low bits and accumulators, an hour: docs/results/pareto.csv, .svg [JOBS=2] [WIDE=yes: hours] [ONLY=NAME,...] [PROFILE=compare/slurm]
	@./daa --need sweep
	snakemake -s compare/Snakefile --forceall --keep-going -q -c $(JOBS) $(if $(PROFILE),--profile $(PROFILE)) \
	  --config build="$(abspath $(BUILD))" $(if $(WIDE),wide=$(WIDE) output="$(BUILD)/pareto") $(if $(ONLY),only=$(ONLY) output="$(BUILD)/pareto") $(if $(LIBERTY),liberty="$(abspath $(LIBERTY))" output="$(BUILD)/pareto")

.PHONY: pareto-figure
pareto-figure: ## docs/results/pareto.svg anew, from docs/results/pareto.csv
	@./daa --need sweep
	@$(PYTHON) compare/pareto.py docs/results/pareto.csv -o docs/results
