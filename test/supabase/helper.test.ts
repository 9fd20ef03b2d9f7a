import { expect, test } from "vitest";
import { openTestDatabase } from "../helpers/database.ts";

test("a test database has the roles, and each is another database", async () => {
  for (const _ of [1, 2]) {
    const database = await openTestDatabase({ migrate: false });
    const sql = database.connect();
    await sql`create table extensions.things (id int)`;
    expect(await sql`select current_user`).toMatchObject([{ currentUser: "parlance_owner" }]);
    await sql.end();
    await database.close();
  }
});
