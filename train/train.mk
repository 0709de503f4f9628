# Training through the array's arithmetic: the accuracy study. tests.mk has a default of its own for JOBS.
STUDY      ?= docs/accuracy
TRAIN       = PYTHONPATH=python $(PYTHON) -m
TRAIN_JOBS  = $(if $(filter command environment,$(firstword $(origin JOBS))),--jobs $(JOBS))
TRAIN_ONLY  = $(if $(ARMS),--arms $(ARMS)) $(if $(SEEDS),--seeds $(SEEDS))

.PHONY: accuracy study study-hard study-hard-lr accuracy-snr accuracy-fork accuracy-report training-operands
accuracy: $(BUILD)/libdaa.so ## train ResNet-18 through bf16, 2 and 4 streams: a table, in minutes [DATA=directory] [JOBS=2]
	$(TRAIN) train.accuracy --arms fp32,bf16,s2-t4,s4-t4 --seeds 0 --epochs 0.2 --data $(DATA) $(TRAIN_JOBS) \
	  --output $(BUILD)/accuracy --work $(BUILD)/accuracy

study: $(BUILD)/libdaa.so ## the whole accuracy study, hours, from where it was [STUDY=directory] [JOBS=2] [ARMS=] [SEEDS=]
	$(TRAIN) train.accuracy --data $(DATA) $(TRAIN_JOBS) $(TRAIN_ONLY) --output $(STUDY) --work $(BUILD)/study

# Every network that learns images needs DATA with CIFAR-10, the language models TEXT.
NETWORKS   ?= short
HARD        = $(TRAIN) train.accuracy --networks $(NETWORKS) --data $(DATA) $(if $(TEXT),--text $(TEXT)) $(TRAIN_JOBS) $(TRAIN_ONLY) \
              $(if $(DEVICE),--device $(DEVICE)) --output $(STUDY) --work $(BUILD)/study

study-hard: $(BUILD)/libdaa.so ## the study where it is hard: CIFAR-10 and a text [DATA=cifar] [TEXT=file] [NETWORKS=short|full|name,...] [DEVICE=cuda]
	$(HARD)

study-hard-lr: $(BUILD)/libdaa.so ## the reference and the worst arm of study-hard at other learning rates
	$(HARD) --check-lr

# The one run of the study whose loss jumped.
accuracy-fork: $(BUILD)/libdaa.so ## continue a run of the study in other arithmetic around its jump: STUDY/forks.csv
	$(TRAIN) train.fork --arm s2-t3 --seed 1 --at 120,134 --data $(DATA) --work $(BUILD)/study --output $(STUDY)/forks.csv

accuracy-report: ## tables and plots from the study's CSV [STUDY=directory]
	$(TRAIN) train.report $(STUDY)

# Operands of every GEMM early in the study's first run and late in it, from that run done once more: 0.6 GB.
DUMPED := $(BUILD)/operands
$(DUMPED)/loss.npy: | $(BUILD)/libdaa.so
	$(TRAIN) train.run --arm bf16 --seed 0 --data $(DATA) --work $(DUMPED) --dump $(DUMPED) --dump-steps 47,891 --curve $@

accuracy-snr: $(DUMPED)/loss.npy ## signal-to-noise ratios of the study: STUDY/snr.csv
	$(TRAIN) train.snr $(DUMPED) $(STUDY)/snr.csv

training-operands: $(DUMPED)/loss.npy ## cut tests/data/training out of real training tensors
	$(TRAIN) train.operands $(DUMPED) tests/data/training --layers conv1,layer1.0.conv2,layer3.0.conv2,layer4.1.conv2 \
	  --origin "make training-operands: ResNet-18 on Fashion-MNIST, arm bf16, seed 0, early and late in training"
