"""Which action every endpoint of MLflow and of the Databricks registry is: rules as data, read by endpoints.py.

The first rule whose pattern is found in "METHOD /canonical/path" decides. An action that ends in `.*` takes its verb from the
method and from the last word of the path. What no rule finds is an error: there is no default."""

# Every action, once. The table has no other, and has each of these.
ACTIONS = {
    "admin.identity": "users, roles, permissions, grants and owners",
    "admin.webhook": "webhooks: the server calls an address of the caller's choice",
    "admin.workspace": "workspaces of an MLflow server",
    "artifact.delete": "a file of a run, a model or a trace",
    "artifact.direct-read": "an address or credential to read such files, or any of the workspace's, past the gateway",
    "artifact.direct-write": "an address or credential to write such files, or any of the workspace's, past the gateway",
    "artifact.read": "files of runs, models and traces",
    "artifact.write": "a file of a run or a model",
    "cloud.credentials": "credentials of tables, volumes, paths and services of the cloud, to read or to write",
    "dataset.delete": "evaluation data",
    "dataset.read": "evaluation data",
    "dataset.write": "evaluation data",
    "deny": "nobody, whatever a policy says",
    "experiment.admin": "renames, deletes and restores experiments, moves their traces",
    "experiment.read": "experiments",
    "experiment.write": "makes and tags experiments",
    "feature.delete": "features and online tables",
    "feature.read": "features and online tables",
    "feature.write": "features and online tables",
    "files.delete": "any file of the workspace's volumes or DBFS",
    "files.read": "any file of the workspace's volumes or DBFS",
    "files.write": "any file of the workspace's volumes or DBFS",
    "genai.delete": "scorers, issues, label schemas, review queues",
    "genai.read": "scorers, issues, label schemas, review queues",
    "genai.write": "scorers, issues, label schemas, review queues",
    "lineage.delete": "takes back what was said of data or models that a run, a model or a table comes from",
    "lineage.read": "which data a run or a table comes from",
    "lineage.write": "says which data or models a run, a model or a table comes from",
    "llm.admin": "endpoints, keys, budgets and guardrails of the server's model gateway",
    "llm.invoke": "asks a language model, with the server's key",
    "llm.read": "endpoints, budgets and guardrails of the server's model gateway",
    "mcp.delete": "entries of the registry of MCP servers",
    "mcp.promote": "where clients of an MCP server are sent: aliases, states, addresses",
    "mcp.read": "entries of the registry of MCP servers",
    "mcp.write": "entries of the registry of MCP servers",
    "model.delete": "models, versions and serving endpoints",
    "model.deploy": "what is served, and how",
    "model.invoke": "asks a served model",
    "model.promote": "which version an alias or a stage names",
    "model.read": "models, versions, logged models and serving endpoints",
    "model.register": "makes and describes models and versions",
    "model.request-promote": "asks people for a promotion",
    "model.tag": "tags of models and versions",
    "prompt.delete": "prompts",
    "prompt.promote": "which version an alias of a prompt names",
    "prompt.read": "prompts",
    "prompt.write": "prompts",
    "run.delete": "deletes and restores runs",
    "run.read": "runs and metrics",
    "run.tag": "tags of runs",
    "run.write": "runs, their parameters and metrics, and models that they log",
    "server.admin": "work that the server does with rights of its own",
    "server.info": "what the server is",
    "table.delete": "tables of Unity Catalog",
    "table.read": "tables of Unity Catalog",
    "table.write": "tables of Unity Catalog",
    "tag.delete": "governed tags of Unity Catalog",
    "tag.read": "governed tags of Unity Catalog",
    "tag.write": "governed tags of Unity Catalog",
    "trace.delete": "traces, their tags and assessments",
    "trace.read": "traces and assessments",
    "trace.write": "traces, their tags and assessments",
}

# Files of the workspace that belong to a run, a logged model or a version.
OWNED = r"/fs/(files|directories)/(Models|WorkspaceInternal/Mlflow/Artifacts)/"

RULES = [
    # --- nobody
    (r"/graphql$", "deny"),  # many questions under one address, and only the user interface asks them
    (r"/mlflow/gateway-proxy$|POST /gateway/proxy/", "deny"),  # forwards to where the caller says
    (r"/external-function$", "deny"),  # a request of the caller's making to any connection of the catalog's
    (r"/mlflow/assistant/", "deny"),  # an agent with a shell on the server
    (r"POST \S*(ui-telemetry|client-telemetry/ingest)$", "deny"),  # what is sent here leaves the organisation
    (r"/mlflow/upload-artifact$", "deny"),  # the user interface's: another spelling of artifact.write, the run in the query
    (r"/create-promptlab-run$", "deny"),  # the user interface's: run, tags and artifacts of the caller's making in one request
    (r"/registered-models/rename$", "deny"),  # a model that takes another's name brings its own aliases: no gate sees it
    (r"POST \S*/unity-catalog/models/versions$", "deny"),  # answers otherwise than MLflow's own door: no node would bind the version
    # --- what the server is
    (r"GET (/|/health|/version|/static-files/\S*|/build/\S*)$", "server.info"),
    (r"GET \S*/(server-info|server-features|ui-telemetry)$|GET /\.well-known/databricks-config$", "server.info"),
    # --- what acts with the server's own rights
    (r"/mlflow/demo/|/api/3.0/jobs/|/mlflow/jobs/", "server.admin"),
    (r"POST \S*(/scorer/invoke|/genai/evaluate/invoke|/issues/invoke)$", "server.admin"),  # each starts a job on the server
    (r"PUT \S*/scorers/online-config$", "server.admin"),  # the server goes on scoring by itself
    (r"POST \S*/prompt-optimization/jobs(/\{job_id\}/cancel)?$", "server.admin"),
    (r"DELETE \S*/prompt-optimization/jobs/", "server.admin"),
    (r"webhooks", "admin.webhook"),
    (r"/mlflow/(users|roles)/|GET /signup$", "admin.identity"),
    (r"/permissions/|/effective-permissions/|/privilege-assignments/|/effective-privilege-assignments/", "admin.identity"),
    (r"PATCH \S*/unity-catalog/tables/", "admin.identity"),  # it changes the owner, and nothing else
    (r"GET \S*/mlflow/workspaces", "experiment.read"),
    (r"/mlflow/workspaces", "admin.workspace"),
    # --- the server's model gateway
    (r"POST /gateway/", "llm.invoke"),
    (r"GET /gateway/mlflow/v1/models$", "llm.read"),
    (r"/mlflow/gateway/secrets/(?!config$)", "llm.admin"),
    (r"GET \S*/mlflow/gateway/", "llm.read"),
    (r"/mlflow/gateway/", "llm.admin"),
    # --- files of the workspace: no run owns them, so none of the rules about artifacts holds them
    # Those of runs, logged models and versions are artifacts by another way.
    (rf"(GET|HEAD) \S*{OWNED}", "artifact.read"),
    (rf"PUT \S*{OWNED}", "artifact.write"),
    (rf"DELETE \S*{OWNED}", "artifact.delete"),
    (rf"POST \S*{OWNED}", "artifact.direct-write"),  # begins an upload in parts, which go past the gateway
    (r"/fs/create-download-url$", "artifact.direct-read"),
    (r"/fs/create-[a-z-]+-urls?$", "artifact.direct-write"),
    (r"(GET|HEAD) \S*/(fs|dbfs)/", "files.read"),
    (r"DELETE \S*/fs/|/dbfs/delete$", "files.delete"),
    (r"/(fs|dbfs)/", "files.write"),
    (r"/temporary-(path|table|volume|service)-credentials$", "cloud.credentials"),
    # --- artifacts: what goes past the gateway first
    (r"/mlflow-artifacts/mpu/|/artifacts/\w+-multipart-upload$|/get-presigned-upload-part-url$", "artifact.direct-write"),
    (r"/presigned-upload-url$|/credentials-for-(write|upload|data-upload)$", "artifact.direct-write"),
    # The operation in the body must be one that reads: there is a guard for it.
    (r"/generate-temporary-credentials$|/temporary-model-version-credentials$", "artifact.direct-read"),
    (r"/presigned-download-url$|/credentials-for-(read|download|data-download)$", "artifact.direct-read"),
    (r"/mlflow-artifacts/presigned/|/get-signed-download-uri$", "artifact.direct-read"),
    (r"DELETE \S*/mlflow-artifacts/artifacts", "artifact.delete"),
    (r"PUT \S*/mlflow-artifacts/artifacts", "artifact.write"),
    (r"GET \S*(/mlflow-artifacts/artifacts|/artifacts/(list|directories|files)$|/list-artifacts$)", "artifact.read"),
    (r"GET \S*/get-(trace-)?artifact$", "artifact.read"),
    # --- lineage
    (r"/search-datasets$|GET \S*/lineage-tracking/", "lineage.read"),
    (r"DELETE \S*(/lineage-tracking/|/unlink-from-run/)", "lineage.delete"),
    (r"/lineage-tracking/|/runs/(log-inputs|outputs)$|/emit-lineage$", "lineage.write"),
    (r"/traces/link-(prompts|to-run)$|/prompt-versions/links-to-|/link-to-run/", "lineage.write"),
    # --- runs, and the models that they log
    (r"/runs/(delete|restore|delete-runs|restore-runs)$", "run.delete"),
    (r"/runs/(set-tag|delete-tag)$", "run.tag"),
    (r"GET \S*/(runs|metrics)/|/runs/search$", "run.read"),
    (r"POST \S*/runs/(create|update|log-batch|log-metric|log-parameter|log-model)$", "run.write"),
    (r"GET \S*/logged-models|/logged-models/search$", "model.read"),
    (r"DELETE \S*/logged-models/\{model_id\}$", "model.delete"),
    (r"/logged-models", "run.write"),
    # --- promotion, in all its spellings
    (r"(POST|DELETE) \S*/unity-catalog/prompts/\{name\}/aliases/", "prompt.promote"),
    (r"(POST|DELETE) \S*/mcp-servers/\S*/aliases(/|$)", "mcp.promote"),
    # A version's state, and the address that clients are sent to, promote as an alias does.
    (r"PATCH \S*/mcp-servers/\S*/versions/\{version\}$|(POST|PATCH|DELETE) \S*/mcp-servers/\S*/endpoints(/|$)", "mcp.promote"),
    (r"(POST|DELETE) \S*/registered-models/alias$|(PUT|DELETE) \S*/unity-catalog/models/\S*/aliases/", "model.promote"),
    (r"/transition-stage$|/transition-requests/(approve|reject)$", "model.promote"),
    (r"/transition-requests/(create|delete)$", "model.request-promote"),
    # --- serving
    (r"/serving-endpoints/\{name\}/invocations$", "model.invoke"),
    (r"GET \S*/serving-endpoints", "model.read"),
    (r"DELETE \S*/serving-endpoints", "model.delete"),
    (r"/serving-endpoints", "model.deploy"),
    # --- the registry
    (r"/(registered-models|model-versions)/(set-tag|delete-tag)$", "model.tag"),
    (r"GET \S*(/registered-models|/model-versions|/transition-requests|/unity-catalog/models)", "model.read"),
    (r"POST \S*/registered-models/get-latest-versions$", "model.read"),
    (r"DELETE \S*(/registered-models/delete|/model-versions/delete|/unity-catalog/models/\S*|/mlflow/comments/delete)$", "model.delete"),
    (r"(POST|PATCH) \S*(/registered-models|/model-versions|/unity-catalog/models)|/mlflow/comments/", "model.register"),
    # --- families with a verb
    (r"/prompts(/|$)|/prompt-optimization/", "prompt.*"),
    (r"/mcp-servers(/|$)", "mcp.*"),
    (r"DELETE \S*/mlflow/datasets/\{dataset_id\}/tags/", "dataset.write"),
    (r"/mlflow/datasets(/|$)|/managed-evals/", "dataset.*"),
    (r"/securable-tags/|/subentity-tags/|/entity-tag-assignments(/|$)|/tag-policies(/|$)", "tag.*"),
    (r"/mlflow/(issues|label-schemas|review-queues|scorers)(/|$)|/experiments/\{experiment_id\}/issues", "genai.*"),
    (r"/feature-(store|engineering)/", "feature.*"),
    (r"/unity-catalog/(tables|table-summaries)(/|$)", "table.*"),
    # --- experiments, after what lies below them
    (r"GET \S*/experiments/|/experiments/search$", "experiment.read"),
    (r"/experiments/(create|set-experiment-tag|delete-experiment-tag)$", "experiment.write"),
    (r"/experiments/(update|delete|restore)$", "experiment.admin"),
    # --- traces; where an experiment keeps them decides who reads them
    (r"/trace-location:link$|/traces/location$|/(un)?link-location$|POST \S*/tracing/locations$", "experiment.admin"),
    (r"POST \S*/traces/(batchGetInfos|calculate-filter-correlation|metrics|search|search-long-running)$", "trace.read"),
    (r"GET \S*/(traces|tracing|unified-traces|get-online-trace-details)(/|$)", "trace.read"),
    (r"/traces(/|$)|/tracing/", "trace.*"),
]

VERBS = {"GET": "read", "HEAD": "read", "POST": "write", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
# The last word of the path says more than POST does.
WORDS = {"search": "read", "list": "read", "get": "read", "delete": "delete", "remove": "delete", "delete-traces": "delete"}

# --- guards: which rows need a look inside, each word with what it is about
GUARD_WORDS = {
    "tags": "fields `tags`, `add_tags` and the like, at any depth: lists of keys and values, or maps; reserved keys",
    "plugin-tags": "the same where the plugin's own tags come: those are taken out",
    "removed-tags": "`remove`: keys of tags that are deleted; reserved keys",
    "new-tags": "`tags` of what is made: whoever sends others than MLflow's own sets tags",
    "key": "one tag: `key` or `tag_key` in the path, or at any depth of the body; reserved keys",
    "dataset-tags": "datasets[].tags[].key: reserved keys",
    "aliases": "`aliases` at any depth: whoever sends them promotes",
    "deployment-job": "`deployment_job_id`: whoever sends it deploys",
    "source": "`source`: it must be resolved to a run or model whose files were seen",
    "artifact-location": "`artifact_location` or `storage_location`: where files will be written",
    "new-run": "a run is made: it gets its node's context, and the node's word",
    "run": "`run_id`, at any depth: a run that is written to must be the job's own, and not ended",
    "finish": "`status`: after this a run is sealed",
    "served-entities": "config.served_entities[]: which versions are served",
    "copy": "`source` may name a version of another model: its labels and its seal are inherited",
    "new-model": "a logged model is made, of the run `source_run_id`",
    "model": "`model_id` of the path: a logged model that is written to",
    "tags-of-model": "`model_id` of the path: a logged model whose tags are set or deleted",
    "of-model": "`model_id`, at any depth: logged models that something is said of",
    "whole": "`status`: after this a logged model is sealed",
    "artifact": "the path of a file that is written or deleted",
    "promote": "a version is given an alias",
    "demote": "an alias is taken away",
    "stage": "a version is given a stage",
    "no-stage": "a request that a version gets a stage is turned down",
    "new-version": "a version is made, of a run's files or a logged model",
    "new-catalog-version": "the same in Unity Catalog: its files come after it",
    "whole-version": "a version in Unity Catalog has all its files: after this it is bound to them",
    "catalog-promote": "a version in Unity Catalog is given an alias",
    "catalog-demote": "an alias is taken away in Unity Catalog",
    "catalog-promote-at": "a version in Unity Catalog is given the alias of the path",
    "catalog-demote-at": "the alias of the path is taken away in Unity Catalog",
    "whole-version-at": "the version of the path has all its files: after this it is bound to them",
    "free-place": "files of the workspace that are written or deleted: none that belongs to a run, a logged model or a version",
    "owner": "`owner`, at any depth: it is given by no job",
    "workspace-file": "the path of a file of a run, a logged model or a version in the workspace's own files",
    "emit-lineage": "`entities`: who reads or writes a version, by the client's word; it is rebuilt",
    "read-credentials": "`operation`: what is written with a credential, nobody hashes",
}
# (pattern over "METHOD /path action", guard). What only reads has none.
GUARDS = [
    (r"/tags/\{\w*key\} |/entity-tag-assignments |/tag-policies |/tag-policies/\{tag_key\} ", "key"),
    (r"/features/\{feature_name\}/tags ", "key"),
    (r"POST \S*/unity-catalog/((registered-models|model-versions)/create|models) ", "new-tags"),
    (r"/unity-catalog/models(/\{full_name\}(/versions/\{version\})?)? model\.register$", "aliases"),
    (r"/serving-endpoints(/pt|:stageDeployment)? model\.deploy$|/serving-endpoints/\S*/config ", "served-entities"),
    (r"/serving-endpoints(/pt)? model\.deploy$", "tags"),
    (r"/model-versions/create ", "source"),
    (r"PATCH \S*/unity-catalog/models/\{full_name\}/versions/\{version\} ", "source"),
    (r"/model-versions/create ", "copy"),
    (r"/runs/update ", "finish"),
    (r"^POST /api/2\.0/mlflow/runs/create ", "new-run"),
    (r"^POST /api/2\.0/mlflow/logged-models ", "new-model"),
    (r"/logged-models/\{model_id\}\S* (run\.write|artifact\.direct-write)$(?<!/tags run\.write)(?<!/tags/\{tag_key\} run\.write)", "model"),
    (r"/logged-models/\{model_id\}/tags", "tags-of-model"),
    (r"^PATCH \S*/logged-models/\{model_id\} ", "whole"),
    (r"/mlflow-artifacts/\S+ artifact\.(write|delete|direct-write)$", "artifact"),
    (r"^POST /api/2\.0/mlflow/registered-models/alias ", "promote"),
    (r"^DELETE /api/2\.0/mlflow/registered-models/alias ", "demote"),
    (r"/model-versions/transition-stage |/transition-requests/approve ", "stage"),
    (r"/transition-requests/reject ", "no-stage"),
    (r"^POST /api/2\.0/mlflow/model-versions/create ", "new-version"),
    (r"^POST /api/2\.0/mlflow/unity-catalog/model-versions/create ", "new-catalog-version"),
    (r"^POST /api/2\.0/mlflow/unity-catalog/model-versions/finalize ", "whole-version"),
    (r"/unity-catalog/models/\S*/finalize ", "whole-version-at"),
    (r"^POST /api/2\.0/mlflow/unity-catalog/registered-models/alias ", "catalog-promote"),
    (r"^DELETE /api/2\.0/mlflow/unity-catalog/registered-models/alias ", "catalog-demote"),
    (r"^PUT \S*/unity-catalog/models/\{full_name\}/aliases/", "catalog-promote-at"),
    (r"^DELETE \S*/unity-catalog/models/\{full_name\}/aliases/", "catalog-demote-at"),
    (r"/fs/files/\S+ artifact\.(write|delete|direct-write)$", "workspace-file"),
    # What the catalog keeps and nobody describes.
    (r"^(POST|PATCH) \S*/(lineage-tracking|feature-store|feature-engineering|entity-tag-assignments|tag-policies|unity-catalog/tables)\b.* \w+\.write$", "owner"),
    (r"/(fs|dbfs)/\S+ files\.(write|delete)$|/fs/create-\S+ artifact\.direct-write$", "free-place"),
    (r"/emit-lineage ", "emit-lineage"),
    (r"/generate-temporary-credentials |/temporary-model-version-credentials ", "read-credentials"),
]
# What begins with the plugin's tags of a run's context: those are taken out, and are no reason to refuse the rest.
PLUGIN = r"^POST /api/2\.0/mlflow/(runs/create|logged-models) "
# (pattern over "METHOD /path action", pattern over the path of a field of the request, guard): new fields bring their guard along.
FIELDS = [
    (PLUGIN, r"^tags$", "plugin-tags"),
    (r"/tags |-tag ", r"^key$", "key"),
    (r"", r"^datasets\.tags\.key$", "dataset-tags"),
    (rf"^(?!{PLUGIN[1:]})", r"(?<!^datasets\.)\b(\w+_)?tags$", "tags"),
    (r"", r"(^|\.)remove$", "removed-tags"),
    (r"", r"(^|\.)aliases$", "aliases"),
    (r"", r"(^|\.)deployment_job_id$", "deployment-job"),
    (r"", r"^(artifact|storage)_location$", "artifact-location"),
    (r" /api/2\.0/mlflow/(runs|artifacts)/\S+ (run\.write|run\.tag|lineage\.write|artifact\.direct-write)$", r"^run_id$", "run"),
    # What a run used is somebody else's, as often as not.
    (r" /api/2\.0/mlflow/runs/(?!log-inputs)\S+ (run\.write|lineage\.write)$", r"(^|\.)model_id$", "of-model"),
]

# Classes that no policy gives: what their requests hold is nobody's business.
NEVER = {"deny", "admin.identity", "admin.webhook", "admin.workspace", "cloud.credentials", "llm.admin", "server.admin"}

# --- messages of what only the SDK asks for, where a guard reads them: (pattern over "METHOD /path", name, fields)
TRANSITION = "name:s version:s stage:s archive_existing_versions:s comment:s"
MESSAGES = [
    (r"/mlflow/databricks/model-versions/transition-stage$|/transition-requests/(approve|reject)$", "sdk.Transition", TRANSITION),
]

# --- fields that are left out of a message, though MLflow has them: (message, field)
WITHHELD = {
    # A model that takes another's name brings its own aliases, as with registered-models/rename.
    ("mlflow.ucmodelregistry.UpdateRegisteredModelRequest", "new_name"),
    ("mlflow.unitycatalog.UpdateRegisteredModel", "new_name"),
}

# --- spellings: (pattern over "METHOD /path", replacement in the path)
RESPELLED = [
    # A directory or file of the workspace: the SDK puts the slash into the value.
    (r"(/api/2\.0/fs/(directories|files))/?\{\w+(\.\.\.)?\}", r"\1/{path...}"),
    # Names of more than one segment, as the SDK describes them.
    (r"/api/2\.0/mlflow/\{name\}$", "/api/2.0/mlflow/experiments/{experiment_id}/issues/{issue_id}"),
    (r"/api/2\.0/mlflow/\{parent\}/issues", "/api/2.0/mlflow/experiments/{experiment_id}/issues"),
    # The server takes anything there, and has only servers of the form namespace/slug.
    (r"/mcp-servers/\{name\.\.\.\}", "/mcp-servers/{namespace}/{slug}"),
    (r"(/mcp-servers/\S*)/\{version\.\.\.\}", r"\1/{version}"),
    (r"(/mcp-servers/\S*)/\{alias\.\.\.\}", r"\1/{alias}"),
    (r"(/mcp-servers/\S*)/\{key\.\.\.\}", r"\1/{key}"),
]
# A slash is missing in MLflow's own declaration; the gateway refuses the path as malformed.
DROPPED = r"^/(ajax-)?api/\d\.\dmlflow/"

# --- where the official SDK calls MLflow, the registry and what lies around them: a pattern over its paths
SDK = (
    r"/mlflow/|/mlflow-|serving-endpoints|/unity-catalog/(models|tables(?!/\{\w+\}/monitor)|table-summaries|temporary-)"
    r"|/unity-catalog/(permissions|effective-|privilege-)"
    r"|entity-tag-assignments|/tag-policies|/lineage-tracking|/feature-(store|engineering)|/fs/|/dbfs/|/external-function"
    r"|/permissions/(experiments|registered-models|serving-endpoints)/"
)
# Clients call these by hand: neither a descriptor nor the SDK has them.
LITERALS = [
    "GET /api/2.0/mlflow/model-versions/list-artifacts",
    "GET /api/2.0/mlflow/model-versions/get-signed-download-uri",
    "POST /api/2.0/otel/v1/traces",
    "POST /api/2.0/mlflow/client-telemetry/ingest",
    "GET /api/2.0/lineage-tracking/table-lineage",
    "GET /api/2.0/lineage-tracking/column-lineage",
    "POST /api/2.0/serving-endpoints:stageDeployment",
    "GET /api/2.0/managed-evals/{rest...}",
    "POST /api/2.0/managed-evals/{rest...}",
    "GET /api/3.0/mlflow/server-features",
    # The SDK asks what host it is, whenever MLflow makes a client of it; the gateway answers.
    "GET /.well-known/databricks-config",
    *(
        f"{method} /api/2.0/fs/{kind}/{place}"
        for place in ("Models/{model_file...}", "WorkspaceInternal/Mlflow/Artifacts/{artifact_file...}")
        for method, kind in [*((method, "files") for method in VERBS if method != "PATCH"), ("GET", "directories"), ("HEAD", "directories")]
    ),
    # Clients of 2.22 and 3.0 kept what traces are judged by under the old number.
    "GET /api/2.0/mlflow/traces/{trace_id}",
    "POST /api/2.0/mlflow/traces/{trace_id}/assessments",
    "PATCH /api/2.0/mlflow/traces/{trace_id}/assessments/{assessment_id}",
    "DELETE /api/2.0/mlflow/traces/{trace_id}/assessments/{assessment_id}",
]
# What is bytes and no JSON: files, and spans in OpenTelemetry's own form.
STREAMS = r"(GET|PUT) \S*/(mlflow-artifacts/artifacts|fs/files)/|POST \S*/v1/traces$"
