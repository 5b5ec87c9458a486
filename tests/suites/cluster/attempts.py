"""attempts.py APPLICATION: tries every attack of attacks/ that belongs to one application, on whatever cluster it runs.

One line of JSON for each: its name, whether it reached what it was after, and what it met."""

import ast
import json
import pathlib
import sys

from pyspark import SparkContext

HERE = pathlib.Path(__file__).parent


def everywhere(sc, question):
    """What `question` answers on the workers: tasks enough for each of them to have some."""
    return sc.parallelize(range(4), 4).map(lambda _: question()).collect()


def jvm_run(sc, words, variables=None):
    """Runs a program as a child of the driver's JVM, as Scala cells and %sh do; returns what it printed."""
    words = sc._gateway.new_array(sc._gateway.jvm.String, len(words)), words
    for at, word in enumerate(words[1]):
        words[0][at] = word
    builder = sc._gateway.jvm.java.lang.ProcessBuilder(words[0])
    for name, value in (variables or {}).items():
        builder.environment().put(name, value)
    builder.redirectErrorStream(True)
    process = builder.start()
    return bytes(process.getInputStream().readAllBytes()).decode(errors="replace")


def main():
    sc = SparkContext()
    sc.setLogLevel("ERROR")
    for path in sorted((HERE / "attacks").glob("*.py")):
        # Run as part of this program: what it defines goes to the workers by value.
        names = {"__name__": "__main__", "everywhere": everywhere, "jvm_run": jvm_run}
        tree = compile(path.read_text(), str(path), "exec", ast.PyCF_ONLY_AST)
        exec(compile(tree, str(path), "exec"), names)
        if names["APPLICATION"] != sys.argv[1]:
            continue
        try:
            met = names["attempt"](sc)
        except Exception as error:
            met = None
            said = str(error)
        else:
            said = "" if met is None else str(met)
        print(json.dumps({"attack": path.stem, "reached": met is not None, "met": said}), flush=True)
    sc.stop()


main()
