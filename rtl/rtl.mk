# rtl/: the default configuration exactly as emitted, committed so that a change in hardware shows in review.
.PHONY: rtl check-rtl

# A fresh emission in $$dir, a directory of its own that is gone at the end.
emit_default = dir=$$(mktemp -d $(BUILD)/rtl.XXXXXX); trap 'rm -rf "$$dir"' EXIT; trap 'exit 130' INT TERM; \
  $(BUILD)/daagen -o "$$dir"

rtl: $(BUILD)/daagen ## bring rtl/ up to date with what daagen emits
	@set -e; $(emit_default); \
	for file in rtl/*.v; do [ -e "$$dir/$$file" ] || rm -f "$$file"; done; \
	for file in "$$dir"/rtl/*.v; do cmp -s "$$file" "rtl/$${file##*/}" || mv "$$file" rtl/; done

check-rtl: $(BUILD)/daagen ## compare rtl/ with what daagen emits
	@set -e; $(emit_default); \
	names=$$(for file in "$$dir"/rtl/*.v rtl/*.v; do echo "$${file##*/}"; done | sort -u); \
	for name in $$names; do \
	  cmp -s "$$dir/rtl/$$name" "rtl/$$name" || { \
	    echo "make: rtl/$$name is not as daagen emits it; 'make rtl' brings it up to date, to be committed" >&2; exit 1; }; \
	done
