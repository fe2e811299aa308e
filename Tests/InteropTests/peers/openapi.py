"""Whether a server does what docs/openapi.yaml says, by schemathesis.

    openapi.py parameters DOCUMENT            prints its routes with their methods and parameters
    openapi.py check DOCUMENT URL [TOKEN]     prints how schemathesis ended and what it said

The document says what is true of every store. What names there are depends on the store's definitions: before the check
names are narrowed to those of a sequence of the server's, so that a valid request is one that it must answer.
"""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request

import yaml


def ask(url, token):
    headers = {"Authorization": "Bearer " + token} if token else {}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as response:
        return json.load(response)


def alternatives(names):
    return "(" + "|".join(sorted(names)) + ")"


def narrow(schemas, contract):
    """Names to those of a sequence."""
    name = contract["name"]
    columns = sorted(column["name"] for column in contract["columns"])
    types = sorted(contract["event_types"])
    schemas["SequenceName"] = {"type": "string", "enum": [name, f"{name}@{contract['version']}"]}
    schemas["ColumnName"] = {"type": "string", "enum": columns}
    schemas["EventTypeName"] = {"type": "string", "enum": types}
    schemas["CapsText"]["pattern"] = f"^{alternatives(types)}:[1-9][0-9]{{0,8}}$"
    schemas["Caps"]["additionalProperties"] = False
    schemas["Caps"]["properties"] = {name: {"$ref": "#/components/schemas/Count"} for name in types}
    del schemas["Caps"]["propertyNames"]
    schemas["CoverageText"] = schemas["Coverage"] = {"$ref": "#/components/schemas/Share"}
    schemas["UserKey"] = schemas["UserKey"]["anyOf"][0]
    schemas["View"]["enum"] = ["events"]
    schemas["BatchRequest"]["properties"]["users"]["maxItems"] = 20


def check(document, url, token):
    contracts = [ask(f"{url}/v1/sequences/{sequence['name']}", token)
                 for sequence in ask(f"{url}/v1/sequences", token)["sequences"]]
    narrow(document["components"]["schemas"], max(contracts, key=lambda contract: len(contract["columns"])))
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/openapi.json", "w") as file:
            json.dump(document, file)
        # 503 is what a client asked for that demands fresher data than there are.
        with open(folder + "/schemathesis.toml", "w") as file:
            file.write('[checks.not_a_server_error]\nexpected-statuses = ["2xx", "3xx", "4xx", "503"]\n')
        command = [
            sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run",
            folder + "/openapi.json", "--url", url, "--checks", "all", "--phases", "examples,coverage,fuzzing",
            "--max-examples", "25", "--seed", "1", "--no-color", "--suppress-health-check", "all", "--warnings", "off",
        ] + (["--header", "Authorization: Bearer " + token] if token else [])
        ended = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=900,
            env=dict(os.environ, HYPOTHESIS_STORAGE_DIRECTORY=folder))
    return {"status": ended.returncode, "output": (ended.stdout + ended.stderr)[-20000:]}


def resolved(document, item):
    while "$ref" in item:
        place = document
        for name in item["$ref"].split("/")[1:]:
            place = place[name]
        item = place
    return item


def parameters(document):
    routes = {}
    for template, path in document["paths"].items():
        for method in ("get", "post", "put", "delete", "patch"):
            if method not in path:
                continue
            operation = path[method]
            query = [resolved(document, p) for p in operation.get("parameters", [])]
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            routes.setdefault(template, {})[method.upper()] = {
                "query": sorted(p["name"] for p in query if p["in"] == "query"),
                "body": sorted(resolved(document, body).get("properties", {}) if body else []),
            }
    return routes


def main():
    with open(sys.argv[2]) as file:
        document = yaml.safe_load(file)
    if sys.argv[1] == "parameters":
        print(json.dumps(parameters(document)))
    else:
        print(json.dumps(check(document, sys.argv[3], sys.argv[4] if len(sys.argv) > 4 else None)))


main()
