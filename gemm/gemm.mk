# gemm/: daagemm, a GEMM of .npy files through an engine of libdaa.
GEMM_OBJ := $(BUILD)/obj/gemm/daagemm.o

ALL += $(BUILD)/daagemm

$(BUILD)/daagemm: $(GEMM_OBJ) $(FILES_OBJ) $(BUILD)/libdaa.a
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

$(BUILD)/asan/daagemm: $(call asan,$(GEMM_OBJ) $(FILES_OBJ)) $(BUILD)/asan/libdaa.a
	$(CC) $(ASAN_FLAGS) $^ $(LIBS) -o $@
