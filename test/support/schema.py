"""The documented JSON schemas (docs/schema), and whether a real output is what they say.

`additionalProperties` is false throughout them, so that an undocumented member is an error.
"""

import functools
import json
import pathlib

import jsonschema

_FOLDER = pathlib.Path(__file__).resolve().parents[2] / "docs" / "schema"


def load(name):
    """The schema docs/schema/NAME.schema.json."""
    return json.loads((_FOLDER / f"{name}.schema.json").read_text())


@functools.cache
def _validator(name):
    schema = load(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def check(document, name):
    """AssertionError, naming the place, if `document` is not what the schema says."""
    for error in _validator(name).iter_errors(document):
        place = "/".join(str(part) for part in error.absolute_path)
        raise AssertionError(f"not of docs/schema/{name}.schema.json: at {place or 'the root'}: {error.message[:300]}")


def check_answer(text):
    """The answer of `rulegen --evaluate --format json` as a document, which is of its schema."""
    document = json.loads(text)
    check(document, "evaluate.v1")
    return document


def check_backtest(text):
    """The answer of `rulegen --backtest --format json` as a document, which is of its schema."""
    document = json.loads(text)
    check(document, "backtest.v1")
    return document


def check_manifest(archive):
    """The manifest in this folder that `rulegen --archive` made, which is of its schema."""
    document = json.loads((pathlib.Path(archive) / "manifest.json").read_text())
    check(document, "archive-manifest.v1")
    return document


def check_log(path):
    """The decision log's records, each of its schema."""
    records = [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]
    for record in records:
        check(record, f"decision-record.v{record['schema']}")
    return records
