#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_reader_run(&reader_culvert_events, data, size);
	fuzz_reader_run(&reader_culvert_client, data, size);
	return 0;
}
