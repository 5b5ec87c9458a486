"""expect: stopped

The same for the driver, by a variable of the cluster."""

APPLICATION = "configured"


def attempt(sc):
    return sc._jvm.System.getProperty("smuggled")
