# tests/mutation/: deliberate faults, each of which the tests must catch. NAME= tries only these.
.PHONY: mutation
mutation: need-test ## the mutation check, about five minutes [NAME="mutant..."]
	@$(PYTHON) tests/mutation/mutate.py $(NAME)
