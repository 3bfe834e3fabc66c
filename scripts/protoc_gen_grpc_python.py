"""A protoc plugin for Python's gRPC stubs, which `grpcio-tools` has no plugin program for.

buf hands it a CodeGeneratorRequest; the generator inside `grpc_tools.protoc` does the work.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc


def main() -> int:
    """Read the request from standard input, write the response to standard output."""
    request = CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    services = {file.name for file in request.proto_file if file.service}
    wanted = [name for name in request.file_to_generate if name in services]
    response = CodeGeneratorResponse(
        supported_features=CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        descriptors = folder / "descriptors"
        descriptors.write_bytes(FileDescriptorSet(file=request.proto_file).SerializeToString())
        options = [f"--descriptor_set_in={descriptors}", f"--grpc_python_out={folder}"]
        if wanted and protoc.main(["protoc", *options, *wanted]):
            return 1
        for path in sorted(folder.rglob("*.py")):
            response.file.add(name=str(path.relative_to(folder)), content=path.read_text("utf-8"))
    sys.stdout.buffer.write(response.SerializeToString())
    return 0


if __name__ == "__main__":
    sys.exit(main())
