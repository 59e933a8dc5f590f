"""Holds exported models against the ONNX standard: python3 test/oracle/check_onnx.py FOLDER

FOLDER: what `FINETUTOR_EXPORTS=FOLDER npx vitest run test/export.test.ts` leaves behind. Run with onnx 1.23.1.
"""
import pathlib
import sys

import onnx

print("onnx", onnx.__version__)
failed = 0
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.onnx")):
    try:
        onnx.checker.check_model(str(path), full_check=True)
        print("good", path.relative_to(sys.argv[1]))
    except Exception as error:
        failed += 1
        print("BAD ", path.relative_to(sys.argv[1]), str(error)[:600])
sys.exit(failed)
