# Training through the array's arithmetic: the accuracy study. JOBS= runs at a time; DATA= another data set.
STUDY      ?= docs/accuracy
# tests.mk has a default of its own for JOBS.
TRAIN_JOBS  = $(if $(filter command environment,$(firstword $(origin JOBS))),--jobs $(JOBS))
TRAIN_ONLY  = $(if $(ARMS),--arms $(ARMS)) $(if $(SEEDS),--seeds $(SEEDS))
TRAIN       = PYTHONPATH=python $(PYTHON) -m

.PHONY: accuracy study accuracy-report
accuracy: $(BUILD)/libdaa.so ## train ResNet-18 through bf16, 2 and 4 streams: a table, in minutes [DATA=directory] [JOBS=2]
	$(TRAIN) train.accuracy --arms fp32,bf16,s2-t4,s4-t4 --seeds 0 --epochs 0.25 --data $(DATA) $(TRAIN_JOBS) \
	  --output $(BUILD)/accuracy --work $(BUILD)/accuracy

study: $(BUILD)/libdaa.so ## the whole accuracy study, hours; goes on where it was interrupted [STUDY=docs/accuracy] [JOBS=2]
	$(TRAIN) train.accuracy --data $(DATA) $(TRAIN_JOBS) $(TRAIN_ONLY) --output $(STUDY) --work $(BUILD)/study

accuracy-report: ## tables and plots from the study's committed CSV [STUDY=docs/accuracy]
	$(TRAIN) train.report $(STUDY)
