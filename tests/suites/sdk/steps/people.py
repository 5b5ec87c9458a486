"""Users, service principals and groups."""

from databricks.sdk.service import iam

from steps.expect import all_of, same
from steps.place import PRINCIPAL, USER


def principals(workspace):
    (found,) = all_of(workspace.service_principals.list(filter=f'applicationId eq "{PRINCIPAL}"'))
    same("type", type(found), iam.ServicePrincipal)
    same("principal", (found.id, found.application_id, found.active), ("42", PRINCIPAL, True))
    same("groups", [(type(group), group.display, group.ref) for group in found.groups], [(iam.ComplexValue, "ml-eng", "Groups/7")])
    (found,) = all_of(workspace.users.list(filter=f'userName eq "{USER}"'))
    same("type", type(found), iam.User)
    same("user", (found.user_name, found.active, found.emails[0].value), (USER, True, USER))
    # Without a filter each list has its own kind only; a page may be as small as one.
    same("principals", [one.application_id for one in all_of(workspace.service_principals.list(count=1))], [PRINCIPAL])
    same("users", [one.user_name for one in all_of(workspace.users.list(count=1))], [USER])
    for lists, filter in [
        (workspace.users, f'userName eq "{PRINCIPAL}"'),
        (workspace.users, 'userName eq "nobody@example.com"'),
        (workspace.service_principals, f'applicationId eq "{USER}"'),
        (workspace.groups, 'displayName eq "nobody"'),
    ]:
        same(filter, all_of(lists.list(filter=filter)), [])
