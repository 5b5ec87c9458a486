"""unpack.py: the Python of this environment's Spark as directories, as the runtime has it.

From PyPI it comes as archives as well, which workers read: every interpreter would compile them anew."""

import compileall
import pathlib
import sys
import zipfile

import pyspark

for archive in pathlib.Path(pyspark.__file__).parent.glob("python/lib/*.zip"):
    if archive.is_file():
        packed = archive.rename(archive.with_suffix(".packed"))
        zipfile.ZipFile(packed).extractall(archive)
        packed.unlink()
    if not compileall.compile_dir(archive, quiet=1):
        sys.exit(f"{archive} does not compile")
