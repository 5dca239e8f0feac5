"""What the catalogue says of schema birth after a release."""

import pytest
from world import World

OURS = "relnamespace = 'birth'::regnamespace"

RULES = {
    "every relation and routine belongs to birth_definer, and what reads source tables to birth_scanner": f"""
        SELECT relname FROM pg_class WHERE {OURS} AND relowner <> 'birth_definer'::regrole
        UNION ALL SELECT proname FROM pg_proc
        WHERE pronamespace = 'birth'::regnamespace
        AND proowner <> (CASE WHEN proname ~ '^fn_birth_scan' THEN 'birth_scanner' ELSE 'birth_definer' END)::regrole
        UNION ALL SELECT typname FROM pg_type t WHERE typnamespace = 'birth'::regnamespace
        AND typowner <> 'birth_definer'::regrole
        UNION ALL SELECT nspname FROM pg_namespace WHERE nspname = 'birth' AND nspowner <> 'birth_definer'::regrole""",
    "every table, view and routine has a comment": f"""
        SELECT relname FROM pg_class WHERE {OURS} AND relkind IN ('r', 'p', 'v', 'm')
        AND coalesce(obj_description(oid, 'pg_class'), '') = ''
        UNION ALL SELECT proname FROM pg_proc
        WHERE pronamespace = 'birth'::regnamespace AND coalesce(obj_description(oid, 'pg_proc'), '') = ''""",
    "every column of a table has a comment": f"""
        SELECT relname || '.' || attname FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid
        WHERE {OURS} AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
        AND coalesce(col_description(c.oid, attnum), '') = ''""",
    "PUBLIC has nothing": """
        SELECT nspname || ' ' || privilege_type
        FROM pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner)))
        WHERE nspname = 'birth' AND grantee = 0
        UNION ALL SELECT relname || ' ' || privilege_type FROM pg_class,
          aclexplode(coalesce(relacl, acldefault((CASE relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char", relowner)))
        WHERE relnamespace = 'birth'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S') AND grantee = 0
        UNION ALL SELECT attrelid::regclass || '.' || attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid,
          aclexplode(attacl) WHERE relnamespace = 'birth'::regnamespace AND grantee = 0
        UNION ALL SELECT proname || ' ' || privilege_type
        FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
        WHERE pronamespace = 'birth'::regnamespace AND grantee = 0""",
    "every function pins pg_catalog and pg_temp as its search path": """
        SELECT proname FROM pg_proc WHERE pronamespace = 'birth'::regnamespace AND prokind <> 'p'
        AND NOT 'search_path=pg_catalog, pg_temp' = ANY (coalesce(proconfig, '{}'))""",
    "a procedure is a definer's if and only if it pins its search path, which one that commits cannot": """
        SELECT proname FROM pg_proc WHERE pronamespace = 'birth'::regnamespace AND prokind = 'p'
        AND prosecdef <> coalesce(proconfig @> ARRAY['search_path=pg_catalog, pg_temp'], false)""",
    "no two routines share a name, because grants and contract go by name": """
        SELECT proname FROM pg_proc WHERE pronamespace = 'birth'::regnamespace GROUP BY 1 HAVING count(*) > 1""",
    "every constraint is validated, but those that close a table with what it holds": """
        SELECT conname FROM pg_constraint
        WHERE connamespace = 'birth'::regnamespace AND NOT convalidated AND conname !~ '_closed$'""",
    "birth_definer and birth_scanner have no member": """
        SELECT member::regrole::text FROM pg_auth_members
        WHERE roleid IN ('birth_definer'::regrole, 'birth_scanner'::regrole)
        AND coalesce((to_jsonb(pg_auth_members) ->> 'inherit_option')::boolean, true)""",
    "no role of ours can log in or do more than its grants": """
        SELECT rolname FROM pg_roles WHERE rolname LIKE 'birth\\_%'
        AND (rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)""",
    "the registry has no other key, foreign key or trigger": """
        SELECT conname FROM pg_constraint WHERE conrelid = 'birth.birth_registry'::regclass
        AND NOT (contype IN ('c', 'n') OR contype = 'p' AND pg_get_constraintdef(oid) = 'PRIMARY KEY (entity_code)')
        UNION ALL SELECT tgname FROM pg_trigger WHERE tgrelid = 'birth.birth_registry'::regclass""",
}


@pytest.mark.parametrize("rule", RULES)
def test_database_conventions_hold_without_exception(world: World, rule: str) -> None:
    assert world.admin.execute(RULES[rule].encode()).fetchall() == []
