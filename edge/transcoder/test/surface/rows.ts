/**
 * What the transcoder promises, row by row. Each is named at the head of at least one test title, which
 * surface.test.ts sees to. P to C: what `google/api/http.proto` and ProtoJSON ask of everybody. D: where
 * implementations differ, and what is done here.
 */
export const ROWS: Readonly<Record<string, string>> = {
  P1: "grammar of path templates",
  P2: "rules that are refused at load",
  P3: "which paths a template takes",
  P4: "percent-decoding of paths",
  P5: "precedence with backtracking, whatever the order of declaration",
  P6: "HTTP methods, 405 with Allow",
  Q1: "query parameters of every kind",
  Q2: "query parameters that are refused",
  Q3: "conflicts of path, query and body",
  B1: "JSON bodies",
  F1: "update masks of a PATCH",
  R1: "responses",
  H1: "HttpBody, up, down and in streams",
  E1: "errors",
  S1: "streams both ways",
  C1: "requests made from messages",
  D1: "unknown query parameter: 400, unless its name is allowed",
  D2: "unknown JSON field: 400",
  D3: "a verb that nobody declared: part of the variable",
  D4: "wrong method: 405 with Allow",
  D5: "a plus sign in the query: a space",
  D6: "`**`: zero segments as well",
  D7: "`**` in the middle: refused at load",
  D8: "nested variable: refused at load",
  D9: "the same field in path and query: 400",
  D10: "body `*` with a field in the query: 400",
  D11: "unknown enum number in the query: kept",
  D12: "an entry of a map in the query: 400",
  D13: "defaults in responses: written",
  D14: "a server stream: as the client accepts it",
  D15: "error body: problem document, google.rpc.Status where only JSON is accepted",
};
