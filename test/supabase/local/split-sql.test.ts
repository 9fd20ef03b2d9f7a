import { expect, test } from "vitest";
import { splitSql, stripComments } from "../../../supabase/local/split-sql.ts";

test.each<[string, string, string[]]>([
  ["statements end with a semicolon", "select 1; select 2;\n", ["select 1", "select 2"]],
  ["the last one needs none", "select 1;\nselect 2", ["select 1", "select 2"]],
  ["nothing is not a statement", " ;; -- a remark\n; /* another */ ;", []],
  ["a comment stays with what it stands before", "-- why;\nselect 1;", ["-- why;\nselect 1"]],
  ["a block comment may hold another", "/* a; /* b; */ c; */ select 1;", ["/* a; /* b; */ c; */ select 1"]],
  ["a string may hold a semicolon", "select 'a;''b;'; select 2", ["select 'a;''b;'", "select 2"]],
  ["a backslash is only itself in a string", "select '\\'; select 2", ["select '\\'", "select 2"]],
  ["but hides a quote in an escape string", "select e'\\';'; select 2", ["select e'\\';'", "select 2"]],
  ["a name may end with an e", "select table_e'x;'", ["select table_e'x;'"]],
  ["a quoted name may hold a semicolon", 'select "a;""b"; select 2', ['select "a;""b"', "select 2"]],
  ["a dollar quote is one string", "do $$ begin; end; $$; select 2", ["do $$ begin; end; $$", "select 2"]],
  [
    "with a tag it may hold another",
    "do $a$ $$;$$; $b$;$b$ $a$; select 2",
    ["do $a$ $$;$$; $b$;$b$ $a$", "select 2"],
  ],
  [
    "a dollar in a name or a parameter is no quote",
    "select a$b$c; select $1; select 3",
    ["select a$b$c", "select $1", "select 3"],
  ],
  ["a dash alone is a minus", "select 1 - -1; select 2", ["select 1 - -1", "select 2"]],
  [
    "the body of an SQL function is one statement",
    "create function f() begin atomic select case when true then 1 end; select 2; end; select 3",
    ["create function f() begin atomic select case when true then 1 end; select 2; end", "select 3"],
  ],
  ["an unfinished string runs to the end", "select 'a; select 2", ["select 'a; select 2"]],
])("%s", (_name, text, statements) => {
  expect(splitSql(text)).toEqual(statements);
});

test("comments are left out, strings that look like them are not", () => {
  expect(stripComments("-- one\nselect '--two', \"/*three*/\" /* four */;")).toBe(
    "select '--two', \"/*three*/\"  ;",
  );
});
