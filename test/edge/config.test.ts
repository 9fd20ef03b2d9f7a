import { expect, test } from "vitest";
import { readEdgeConfig } from "../../edge/config.ts";

const good = {
  SUPABASE_URL: "http://kong:8000",
  SUPABASE_DB_URL: "postgres://owner@127.0.0.1:5432/postgres",
  SUPABASE_PUBLISHABLE_KEY: "sb_publishable_0123456789abcdef",
  SUPABASE_SECRET_KEYS: '{"sidecar":"sb_secret_0123456789abcdef","default":"sb_secret_fedcba9876543210"}',
};

const read = (environment: Record<string, string> = {}) => readEdgeConfig({ ...good, ...environment });

test("four settings are enough", () => {
  expect(read()).toMatchObject({
    supabaseUrl: "http://kong:8000",
    publicUrl: "http://kong:8000",
    jwtIssuer: "http://kong:8000/auth/v1",
    secretKey: "sb_secret_fedcba9876543210",
    jwks: undefined,
    allowedOrigins: [],
    clientAddressHeader: undefined,
    uploadBytesMax: 26_214_400,
    bodyBytesMax: 1_048_576,
    linkSeconds: 3600,
    searchWaitMs: 1500,
    databaseConnectionsMax: 3,
    logLevel: "info",
  });
});

test("tokens bear the address that browsers know, unless another issuer is named", () => {
  expect(read({ PUBLIC_URL: "http://127.0.0.1:54321" }).jwtIssuer).toBe("http://127.0.0.1:54321/auth/v1");
  expect(read({ JWT_ISSUER: "https://id.example.com" }).jwtIssuer).toBe("https://id.example.com");
});

test.each([
  ["*", "*"],
  ['["*"]', "*"],
  ["https://a.example.com", ["https://a.example.com"]],
  ["https://a.example.com, http://localhost:3000", ["https://a.example.com", "http://localhost:3000"]],
  ['["https://a.example.com"]', ["https://a.example.com"]],
])("ALLOWED_ORIGINS=%s", (text, origins) => {
  expect(read({ ALLOWED_ORIGINS: text }).allowedOrigins).toEqual(origins);
});

test.each([
  ["ALLOWED_ORIGINS", "a.example.com"],
  ["ALLOWED_ORIGINS", "https://a.example.com/"],
  ["ALLOWED_ORIGINS", "https://a.example.com/path"],
  ["ALLOWED_ORIGINS", "https://*.example.com"],
  ["ALLOWED_ORIGINS", "null"],
  ["ALLOWED_ORIGINS", "https://a.example.com,*"],
  ["CLIENT_ADDRESS_HEADER", "x forwarded for"],
  ["UPLOAD_BYTES_MAX", "25MB"],
  ["REQUEST_MS", "999999"],
  ["RATE_LIMIT_READ", "0"],
  ["LOG_LEVEL", "loud"],
  ["JWT_ISSUER", "me"],
  ["SUPABASE_JWKS", "{}"],
  ["SUPABASE_JWKS", '{"keys":[]}'],
])("%s=%s is refused by its name", (name, value) => {
  expect(() => read({ [name]: value })).toThrow(`${name} is wrong`);
});

test("a project that signs with a shared secret only is told to rotate its keys", () => {
  const jwks = '{"keys":[{"kty":"oct","k":"c2VjcmV0","alg":"HS256"}]}';
  expect(() => read({ SUPABASE_JWKS: jwks })).toThrow(/SUPABASE_JWKS .*rotate/);
});

test("of a key set, only keys with a public half are kept", () => {
  const jwks = '[{"kty":"oct","k":"c2VjcmV0"},{"kty":"EC","crv":"P-256","x":"x","y":"y","kid":"one"}]';
  expect(read({ SUPABASE_JWKS: jwks }).jwks).toEqual({
    keys: [{ kty: "EC", crv: "P-256", x: "x", y: "y", kid: "one" }],
  });
});
