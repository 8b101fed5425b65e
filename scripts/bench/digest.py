"""Wall and processor seconds that the reference implementation takes to digest a folder: digest.py FOLDER"""

import pathlib
import sys
import time

from model_signing import hashing

start, start_busy = time.perf_counter(), time.process_time()
manifest = hashing.Config().use_file_serialization().hash(pathlib.Path(sys.argv[1]))
seconds, busy = time.perf_counter() - start, time.process_time() - start_busy
print(seconds, busy, *(descriptor.digest.digest_hex for descriptor in manifest.resource_descriptors()))
