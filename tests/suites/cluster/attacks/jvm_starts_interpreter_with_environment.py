"""expect: stopped

The engine starts an interpreter with variables of the job's choosing."""

APPLICATION = "plain"


def attempt(sc):
    program = "import os; print(os.environ.get('SMUGGLED'), os.environ.get('LONGHORN_SCOPE'))"
    said = jvm_run(sc, ["/databricks/python3/bin/python", "-c", program], {"SMUGGLED": "1", "LONGHORN_SCOPE": "admin"})
    return said if "1" in said or "admin" in said else None
