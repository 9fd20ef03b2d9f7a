import type { Sql, TransactionSql } from "postgres";

/** What the catalog says about schema parlance, with no word that differs between Postgres 17 and 18. */
export interface Catalog {
  readonly types: { name: string; labels: string[] }[];
  readonly relations: Relation[];
  readonly functions: SqlFunction[];
  /** Who may do what with the schema itself. */
  readonly grants: Grant[];
}

export interface Relation {
  readonly id: number;
  readonly name: string;
  readonly kind: "table" | "view" | "sequence";
  readonly comment: string | null;
  readonly hasRowSecurity: boolean;
  readonly isInvokers: boolean;
  readonly partitionKey: string | null;
  readonly partitionOf: string | null;
  readonly partitionBound: string | null;
  readonly columns: Column[];
  readonly constraints: { name: string; kind: string; columns: string[]; definition: string }[];
  readonly indexes: string[];
  readonly policies: Policy[];
  readonly triggers: string[];
  readonly grants: Grant[];
}

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly isNullable: boolean;
  readonly expression: string | null;
  readonly isGenerated: boolean;
}

export interface Policy {
  readonly name: string;
  readonly command: string;
  readonly roles: string[];
  readonly using: string | null;
  readonly check: string | null;
}

export interface SqlFunction {
  readonly name: string;
  readonly arguments: string;
  readonly result: string;
  readonly volatility: string;
  readonly isDefiner: boolean;
  readonly settings: string[];
  readonly grants: Grant[];
}

/** One right of one role, the owner's left out; `column` where it is for that column alone. */
export interface Grant {
  readonly role: string;
  readonly right: string;
  readonly column: string | null;
}

export function readCatalog(sql: Sql): Promise<Catalog> {
  return sql.begin("isolation level repeatable read read only", async (transaction) => {
    // Names of the house and of vector are written short, all others with their schema.
    await transaction`set local search_path = parlance, extensions`;
    return {
      types: await readTypes(transaction),
      relations: await readRelations(transaction),
      functions: await readFunctions(transaction),
      grants: await readSchemaGrants(transaction),
    };
  });
}

function readTypes(sql: TransactionSql): Promise<Catalog["types"]> {
  return sql<Catalog["types"]>`
    select t.typname as name, array_agg(e.enumlabel::text order by e.enumsortorder) as labels
    from pg_catalog.pg_type t
    join pg_catalog.pg_enum e on e.enumtypid = t.oid
    where t.typnamespace = 'parlance'::regnamespace
    group by t.typname
    order by t.typname
  `;
}

async function readRelations(sql: TransactionSql): Promise<Relation[]> {
  const relations = await sql<
    Omit<Relation, "columns" | "constraints" | "indexes" | "policies" | "triggers" | "grants">[]
  >`
    select
      c.oid::int8 as id,
      c.relname as name,
      case c.relkind when 'v' then 'view' when 'S' then 'sequence' else 'table' end as kind,
      obj_description(c.oid, 'pg_class') as comment,
      c.relrowsecurity as has_row_security,
      coalesce(c.reloptions @> '{security_invoker=true}', false) as is_invokers,
      pg_get_partkeydef(c.oid) as partition_key,
      (select p.relname from pg_inherits i join pg_class p on p.oid = i.inhparent where i.inhrelid = c.oid) as partition_of,
      pg_get_expr(c.relpartbound, c.oid) as partition_bound
    from pg_catalog.pg_class c
    where c.relnamespace = 'parlance'::regnamespace
      and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    order by c.relname
  `;
  const details: Relation[] = [];
  for (const relation of relations) details.push({ ...relation, ...(await readDetails(sql, relation.id)) });
  return details;
}

async function readDetails(sql: TransactionSql, id: number) {
  const texts = async (query: PromiseLike<readonly { text: string }[]>) =>
    (await query).map(({ text }) => text);
  return {
    columns: await sql<Column[]>`
      select
        a.attname as name,
        format_type(a.atttypid, a.atttypmod) as type,
        not a.attnotnull as is_nullable,
        pg_get_expr(d.adbin, d.adrelid) as expression,
        a.attgenerated <> '' as is_generated
      from pg_catalog.pg_attribute a
      left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid = ${id} and a.attnum > 0 and not a.attisdropped
      order by a.attnum
    `,
    // From 18 on, not null is a constraint too; it is told with the column.
    constraints: await sql<Relation["constraints"]>`
      select
        c.conname as name,
        c.contype as kind,
        array(
          select a.attname::text from pg_catalog.pg_attribute a
          where a.attrelid = c.conrelid and a.attnum = any (c.conkey)
          order by array_position(c.conkey, a.attnum)
        ) as columns,
        pg_get_constraintdef(c.oid, true) as definition
      from pg_catalog.pg_constraint c
      where c.conrelid = ${id} and c.contype in ('p', 'u', 'f', 'c', 'x') and c.conislocal and c.conparentid = 0
      order by array_position(array['p', 'u', 'f', 'x', 'c'], c.contype::text), c.conname
    `,
    indexes: await texts(sql<{ text: string }[]>`
      select pg_get_indexdef(i.indexrelid, 0, true) as text
      from pg_catalog.pg_index i
      join pg_catalog.pg_class c on c.oid = i.indexrelid
      where i.indrelid = ${id}
        and not c.relispartition
        and not exists (select from pg_catalog.pg_constraint where conindid = i.indexrelid and contype in ('p', 'u', 'x'))
      order by c.relname
    `),
    policies: await sql<Policy[]>`
      select
        p.polname as name,
        case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end
          as command,
        array(select coalesce(r.rolname::text, 'public') from unnest(p.polroles) role left join pg_roles r on r.oid = role
          order by r.rolname) as roles,
        pg_get_expr(p.polqual, p.polrelid) as using,
        pg_get_expr(p.polwithcheck, p.polrelid) as check
      from pg_catalog.pg_policy p
      where p.polrelid = ${id}
      order by p.polname
    `,
    triggers: await texts(sql<{ text: string }[]>`
      select pg_get_triggerdef(t.oid, true) as text
      from pg_catalog.pg_trigger t
      where t.tgrelid = ${id} and not t.tgisinternal and t.tgparentid = 0
      order by t.tgname
    `),
    grants: await sql<Grant[]>`
      select coalesce(r.rolname, 'public') as role, lower(g.privilege_type) as right, g.column_name as column
      from (
        select c.relowner, a.grantee, a.privilege_type, null::text as column_name, 0 as position
        from pg_catalog.pg_class c, aclexplode(c.relacl) a
        where c.oid = ${id}
        union all
        select c.relowner, x.grantee, x.privilege_type, a.attname, a.attnum
        from pg_catalog.pg_class c
        join pg_catalog.pg_attribute a on a.attrelid = c.oid and not a.attisdropped, aclexplode(a.attacl) x
        where c.oid = ${id}
      ) g
      left join pg_catalog.pg_roles r on r.oid = g.grantee
      where g.grantee <> g.relowner
      order by role, "right", g.position
    `,
  };
}

async function readFunctions(sql: TransactionSql): Promise<SqlFunction[]> {
  return await sql<SqlFunction[]>`
    select
      p.proname as name,
      pg_get_function_arguments(p.oid) as arguments,
      pg_get_function_result(p.oid) as result,
      case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end as volatility,
      p.prosecdef as is_definer,
      coalesce(p.proconfig, '{}') as settings,
      (
        select coalesce(jsonb_agg(jsonb_build_object('role', coalesce(r.rolname, 'public'), 'right', 'execute', 'column', null)
          order by r.rolname), '[]')
        from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        left join pg_catalog.pg_roles r on r.oid = a.grantee
        where a.grantee <> p.proowner
      ) as grants
    from pg_catalog.pg_proc p
    where p.pronamespace = 'parlance'::regnamespace
    order by p.proname, pg_get_function_identity_arguments(p.oid) collate "C"
  `;
}

function readSchemaGrants(sql: TransactionSql): Promise<Grant[]> {
  return sql<Grant[]>`
    select coalesce(r.rolname, 'public') as role, lower(a.privilege_type) as right, null as column
    from pg_catalog.pg_namespace n, aclexplode(n.nspacl) a
    left join pg_catalog.pg_roles r on r.oid = a.grantee
    where n.nspname = 'parlance' and a.grantee <> n.nspowner
    order by role, "right"
  `;
}
