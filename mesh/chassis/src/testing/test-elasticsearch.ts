import { uuidV7 } from "../time/clock.ts";

/** A search server that tests share, and names in it that are this test's own. */
export interface TestElasticsearch {
  readonly url: string;
  /** Begins the name of every index, alias and template of the test: lower case, ends in a dash. */
  readonly prefix: string;
}

/**
 * The server that the test run started, with a prefix that no other test has. What is made under it is left
 * behind: the server ends with the run.
 *
 * @throws Error when ORRERY_TEST_ELASTICSEARCH does not name a server
 */
export function testElasticsearch(name = "test"): TestElasticsearch {
  const url = process.env.ORRERY_TEST_ELASTICSEARCH;
  if (url === undefined)
    throw new Error("ORRERY_TEST_ELASTICSEARCH is not set: run the tests through make test");
  return { url, prefix: `${name}-${uuidV7()}-` };
}
