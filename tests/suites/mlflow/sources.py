"""Where the endpoints of the installed MLflow and databricks-sdk are found; nothing here says what they may do.

`endpoints()` yields (method, path, message, source): declared services (protobuf), the live server with its own authentication
(FastAPI and Flask), the calls of the SDK, and those that clients make by hand."""

import ast
import importlib
import inspect
import os
import pathlib
import pkgutil
import re
import tempfile
import textwrap

import classes
from shapes import Shapes

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"


class Unclear(Exception):
    """MLflow or the SDK is built in a way that this file does not understand; what it would say of the endpoints is no good."""


def clear(fact, complaint):
    if not fact:
        raise Unclear(complaint)


def endpoints(shapes):
    yield from declared(shapes)
    yield from served(shapes)
    yield from called()
    for line in classes.LITERALS:
        method, path = line.split()
        yield method, path, "*", "literal"


def declared(shapes):
    """Every rpc of every service, with its request."""
    import mlflow.protos
    from mlflow.protos import databricks_pb2

    for module in pkgutil.iter_modules(mlflow.protos.__path__):
        if not module.name.endswith("_pb2"):
            continue
        file = importlib.import_module(f"mlflow.protos.{module.name}").DESCRIPTOR
        for service in file.services_by_name.values():
            for method in service.methods:
                for endpoint in method.GetOptions().Extensions[databricks_pb2.rpc].endpoints:
                    # Clients and servers leave the minor number out, except Unity Catalog's.
                    minor = 1 if service.name == "UnityCatalogService" else 0
                    path = f"/api/{endpoint.since.major}.{minor}/{endpoint.path.lstrip('/')}"
                    yield endpoint.method, path, shapes.descriptor(method.input_type), "declared"


def served(shapes):
    """The routes of the server as `mlflow server --app-name basic-auth` has them, which are those without it and its own."""
    with tempfile.TemporaryDirectory() as place:
        settings = os.path.join(place, "auth.ini")
        with open(settings, "w") as file:
            file.write("[mlflow]\ndefault_permission = READ\n")
            file.write(f"database_uri = sqlite:///{place}/auth.db\nadmin_username = admin\nadmin_password = not-a-secret-at-all\n")
            file.write("authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n")
        os.environ["MLFLOW_AUTH_CONFIG_PATH"] = settings
        os.environ["MLFLOW_FLASK_SERVER_SECRET_KEY"] = "not-a-secret-at-all-but-long-enough"
        os.environ["_MLFLOW_SGI_NAME"] = "uvicorn"
        import mlflow.server.auth

        app = mlflow.server.auth.create_app()
        yield from fastapi_routes(app, shapes)
        yield from flask_routes(mlflow.server.app, shapes)


def fastapi_routes(app, shapes):
    for outer in app.routes:
        # Newer releases keep included routers whole.
        inner = outer.effective_route_contexts() if hasattr(outer, "effective_route_contexts") else [outer]
        for route in inner:
            if not hasattr(route, "dependant"):
                # What is mounted there is Flask.
                clear(route.path == "", f"a route of a kind that is not known: {route!r} at {route.path}")
                continue
            for method in sorted(route.methods - {"HEAD", "OPTIONS"}):
                yield method, route.path, fastapi_message(route, method, shapes), f"fastapi:{route.endpoint.__name__}"


def fastapi_message(route, method, shapes):
    query = {field.alias: shapes.annotation(field.field_info.annotation) for field in route.dependant.query_params}
    bodies = [shapes.annotation(field.field_info.annotation) for field in route.dependant.body_params]
    if not query and bodies:
        clear(len(bodies) == 1, f"{route.path} has more than one body")
        return bodies[0]
    clear(not bodies, f"{route.path} has a query and a body")
    if query:
        name = f"{route.endpoint.__module__}.{route.endpoint.__name__}"
        shapes[name] = query
        return name
    # A route that is handed the request reads what it likes.
    return "-" if method in ("GET", "DELETE") else "*"


def flask_routes(app, shapes):
    for rule in app.url_map.iter_rules():
        function = app.view_functions[rule.endpoint]
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            message = "-" if rule.endpoint == "static" else shapes.handler(function)
            yield method, rule.rule, message, f"flask:{behind(function)}"


def behind(function):
    """The handler's name: a function that only calls another stands for it."""
    function = inspect.unwrap(function)
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    match body:
        case ast.FunctionDef(body=[ast.Return(ast.Call(ast.Name(name), []))]):
            return name
    return function.__name__


def called():
    """What the SDK asks of the paths that concern us, generated or written by hand."""
    import databricks.sdk

    (place,) = databricks.sdk.__path__
    files = sorted(pathlib.Path(place).glob("service/*.py")) + sorted(pathlib.Path(place).glob("mixins/*.py"))
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "self._api.do":
                named = {one.arg: one.value for one in node.keywords}
                method, path = [*node.args, *(named[name] for name in ("method", "path", "url") if name in named)][:2]
                path = sdk_path(path)
                if path and re.search(classes.SDK, path):
                    yield method.value, path, "*", f"sdk:{file.stem}"


def sdk_path(node):
    """A path as the SDK puts it together, with the names of what it puts in."""
    if isinstance(node, ast.Constant):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        # One call goes to an address that the workspace gave: it is no path of the workspace's.
        clear(ast.unparse(node) == "data_plane_info.endpoint_url", f"a path that cannot be read: {ast.unparse(node)}")
        return None
    parts = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(part.value)
        else:
            text = ast.unparse(part.value)
            many = "multi_segment" in text
            name = re.search(r"(\w+)\W*$", text)[1]
            parts.append("{%s%s}" % (name, "..." if many else ""))
    return "".join(parts).removeprefix("{_hostname}").removeprefix("{hostname}")


def canonical(method, path):
    """The spelling under which the gateway knows a path; None where it knows none."""
    if re.search(classes.DROPPED, path):
        return None
    path = re.sub(r"<path:(\w+)>", r"{\1...}", path)
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)
    path = re.sub(r"\{(\w+):path\}", r"{\1...}", path)
    path = re.sub(r"\{\w+\.(\w+)\}", r"{\1}", path)
    path = re.sub(r"^/ajax-api/", "/api/", path)
    for pattern, spelling in classes.RESPELLED:
        path = re.sub(pattern, spelling, path)
    return path


def collect():
    """All endpoints: {(method, path): message} and the messages. What declares an endpoint's fields wins over what only calls it;
    two routes that are one to the gateway must be one to the server."""
    shapes, rows, shape, twins = Shapes(), {}, {}, {}
    for method, raw, message, source in endpoints(shapes):
        path = canonical(method, raw)
        if path is None:
            continue
        key = method, path
        # The same places under other names are the same endpoint.
        key = shape.setdefault((method, re.sub(r"\{\w+", "{", path)), key)
        if ":" in source and not source.startswith("sdk"):
            framework = source.partition(":")[0]
            known = twins.setdefault((key, framework), source)
            clear(known == source, f"{method} {path}: {raw} is {source}, and its twin is {known}")
        before = rows.setdefault(key, message)
        if before in "-*":
            rows[key] = message if message not in "-*" else before
        elif message not in "-*" and before != message and source.startswith("flask"):
            # The handler reads more than its declaration says.
            shapes[before].update({field: kind for field, kind in shapes[message].items() if field not in shapes[before]})
    return rows, shapes
