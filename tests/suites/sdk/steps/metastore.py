"""Unity Catalog: governed tags are listed, set and taken away; grants with what is inherited, owners; lineage through a warehouse."""

from databricks.sdk.service import catalog

from steps.expect import all_of, refused, same
from steps.place import JOB, RUN

ORDERS = "main.gold.orders"


def metastore(workspace):
    if not hasattr(workspace, "entity_tag_assignments"):
        print("lacks WorkspaceClient.entity_tag_assignments", flush=True)
        return
    from databricks.sdk.service import sql

    tags = workspace.entity_tag_assignments

    def keys(name=ORDERS):
        found = all_of(tags.list("tables", name))
        same("types", {type(one) for one in found} - {catalog.EntityTagAssignment}, set())
        same("entities", {(one.entity_type, one.entity_name) for one in found} - {("tables", name)}, set())
        return [one.tag_key for one in found]

    before = ["domain", "longhorn_label_internal", "team"]
    same("tags", keys(), before)
    same("no tags", all_of(tags.list("schemas", "main.gold")), [])
    refused("TABLE_DOES_NOT_EXIST", lambda: all_of(tags.list("tables", "main.gold.absent")))
    assigned = catalog.EntityTagAssignment(entity_type="tables", entity_name=ORDERS, tag_key="longhorn_label_pii")
    made = tags.create(assigned)
    same("made", (type(made), made.tag_key, made.entity_name), (catalog.EntityTagAssignment, "longhorn_label_pii", ORDERS))
    refused("ALREADY_EXISTS", lambda: tags.create(assigned))
    same("set", keys(), before[:2] + ["longhorn_label_pii", "team"])
    tags.delete("tables", ORDERS, "longhorn_label_pii")
    same("taken away", keys(), before)
    refused("RESOURCE_DOES_NOT_EXIST", lambda: tags.delete("tables", ORDERS, "longhorn_label_pii"))
    same("governed", workspace.tag_policies.get_tag_policy("longhorn_label_pii").tag_key, "longhorn_label_pii")
    refused("RESOURCE_DOES_NOT_EXIST", lambda: workspace.tag_policies.get_tag_policy("team"))

    found, token = [], None
    for _ in range(10):
        page = workspace.grants.get_effective("table", ORDERS, max_results=0, page_token=token)
        found += page.privilege_assignments or []
        token = page.next_page_token
        if not token:
            break
    same("all pages", token, None)
    held = {one.principal: [(each.privilege, each.inherited_from_name) for each in one.privileges] for one in found}
    same("inherited", held["ml-eng"], [(catalog.Privilege.USE_SCHEMA, "main.gold"), (catalog.Privilege.SELECT, "main.gold")])
    same("from above", held["platform"], [(catalog.Privilege.ALL_PRIVILEGES, "main")])
    model = workspace.registered_models.get("main.ml.fraud")
    same("model", (model.full_name, model.owner), ("main.ml.fraud", "platform"))
    same("owners", {thing.owner for thing in (workspace.tables.get(ORDERS), workspace.schemas.get("main.gold"), workspace.catalogs.get("main"))}, {"platform"})

    statement = "SELECT source_table_full_name FROM system.access.table_lineage WHERE x = :job AND y = :run"
    parameters = [sql.StatementParameterListItem(name="job", value=str(JOB)), sql.StatementParameterListItem(name="run", value=str(RUN))]
    asked = workspace.statement_execution.execute_statement(statement, "abc1", parameters=parameters, wait_timeout="5s")
    same("begun", (type(asked), asked.status.state), (sql.StatementResponse, sql.StatementState.PENDING))
    done = workspace.statement_execution.get_statement(asked.statement_id)
    same("done", (done.status.state, done.result.data_array), (sql.StatementState.SUCCEEDED, [["main.gold.orders"]]))
    same("whole", (done.manifest.total_row_count, done.manifest.truncated), (1, False))
