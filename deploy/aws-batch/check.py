"""Puts the JSON files beside this one to the shape that AWS' own client demands of its calls. Nothing is sent, and nothing is said
where all is well.

    python3 deploy/aws-batch/check.py [FILE CALL]
"""

import json
import pathlib
import sys

import botocore.loaders
import botocore.model
import botocore.validate

CALLS = {
    "compute-environment.json": "CreateComputeEnvironment",
    "job-queue.json": "CreateJobQueue",
    "job-definition.json": "RegisterJobDefinition",
    "submit-shards.json": "SubmitJob",
    "submit-report.json": "SubmitJob",
}

here = pathlib.Path(__file__).parent
files = {here / name: call for name, call in CALLS.items()}
if len(sys.argv) == 3:
    files = {pathlib.Path(sys.argv[1]): sys.argv[2]}
service = botocore.loaders.Loader().load_service_model("batch", "service-2")
model = botocore.model.ServiceModel(service)
failed = False

for path, call in files.items():
    shape = model.operation_model(call).input_shape
    value = json.loads(path.read_text(encoding="utf-8"))
    report = botocore.validate.ParamValidator().validate(value, shape)
    if report.has_errors():
        print(f"{path.name}: {report.generate_report()}", file=sys.stderr)
        failed = True
sys.exit(1 if failed else 0)
