"""expect: stopped by Permission denied|Read-only file system

A task puts code where the next engine on its node loads it."""

APPLICATION = "plain"


def attempt(sc):
    def put():
        with open("/databricks/jars/attack.jar", "wb") as file:
            return file.write(b"PK")

    return everywhere(sc, put)
