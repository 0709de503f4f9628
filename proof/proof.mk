# proof/: the element against specifications written from the contract, over all inputs (docs/proofs.md).
.PHONY: proof proof-faults
proof: all ## the element proved over all inputs: sum, accumulator, head, foot [CONFIG=NAME] [ONLY=key|step|sum|addend|start|loop|head|foot] [SHORT=yes]
	@./daa --need test
	@$(PYTHON) proof/prove.py --build "$(abspath $(BUILD))" --jobs $(JOBS) $(if $(filter yes,$(SHORT)),--short) \
	  $(if $(ONLY),--only "$(ONLY)") $(if $(filter command line,$(origin CONFIG)),"$(CONFIG)")

proof-faults: need-test ## the seeded faults that a proof must find
	@$(PYTHON) tests/mutation/mutate.py 'proof-*'

.PHONY: proof-core
proof-core: $(BUILD)/daagen ## rules of AXI, registers, queues and handshakes of the core's modules, by induction [CONFIG=NAME] [ONLY=job|addresses|tiles|feed|sums|queue|bursts|load|store|regs]
	@./daa --need test
	@$(PYTHON) proof/core.py --build "$(abspath $(BUILD))" $(if $(ONLY),--only "$(ONLY)") $(if $(filter command line,$(origin CONFIG)),"$(CONFIG)")
