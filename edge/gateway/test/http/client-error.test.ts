import { expect, test } from "@jest/globals";
import { parserFault } from "../../src/http/client-error.ts";

test.each([
  ["HPE_HEADER_OVERFLOW", "HEADERS_TOO_LARGE"],
  ["ERR_HTTP_REQUEST_TIMEOUT", "REQUEST_TIMEOUT"],
  ["HPE_INVALID_METHOD", "INVALID_REQUEST"],
  [undefined, "INVALID_REQUEST"],
])("the parser's %s is our %s", (code, reason) => {
  expect(parserFault(code).reason).toBe(reason);
});
