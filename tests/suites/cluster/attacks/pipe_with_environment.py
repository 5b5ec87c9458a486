"""expect: stopped

`rdd.pipe` starts a program of the runtime's with variables of the job's choosing."""

APPLICATION = "plain"


def attempt(sc):
    program = "/databricks/python3/bin/python -c \"import os; print(os.environ.get('SMUGGLED'), os.environ.get('LONGHORN_SCOPE'))\""
    found = sc.parallelize(range(2), 2).pipe(program, env={"SMUGGLED": "1", "LONGHORN_SCOPE": "admin", "PATH": "/usr/bin"}).collect()
    return found if any("1" in line or "admin" in line for line in found) else None
