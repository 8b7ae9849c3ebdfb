import { expect, test } from "@jest/globals";
import { Fault } from "@orrery/mesh/fault/fault";
import { createMetrics } from "@orrery/mesh/telemetry/metrics";
import { eventually } from "@orrery/mesh/testing/eventually";
import { systemClock } from "@orrery/mesh/time/clock";
import { measuredReadModel, showSize } from "../../src/application/read-model-metrics.ts";
import { embeddedReadModel } from "../embedded-factory.ts";
import { projectionOf, searchedJob } from "../projection-factory.ts";

const OPERATION = "orrery_read_model_operation_duration_seconds_count";

test("what is written and read is counted by operation, and answers as before", async () => {
  await using opened = await embeddedReadModel();
  const metrics = createMetrics({ service: "observatory", defaults: false });
  const readModel = measuredReadModel(opened.readModel, metrics, systemClock);
  expect(await readModel.apply([projectionOf(searchedJob(1))])).toEqual(["done"]);
  await readModel.settle();
  const text = await metrics.registry.metrics();
  for (const operation of ["apply", "settle"]) {
    expect(text).toContain(`${OPERATION}{service="observatory",operation="${operation}"} 1`);
  }
  expect(text).toContain('orrery_read_model_errors_total{operation="apply",service="observatory"} 0');
});

test("what fails is counted, and fails as before", async () => {
  await using opened = await embeddedReadModel();
  const metrics = createMetrics({ service: "observatory", defaults: false });
  const away = new Fault("DEPENDENCY_UNAVAILABLE", { detail: "away" });
  const failing = { ...opened.readModel, settle: () => Promise.reject(away) };
  await expect(measuredReadModel(failing, metrics, systemClock).settle()).rejects.toBe(away);
  expect(await metrics.registry.metrics()).toContain(
    'orrery_read_model_errors_total{operation="settle",service="observatory"} 1',
  );
});

test.each(["CANCELLED", "OVERLOADED"] as const)("what was not done is no failure: %s", async (reason) => {
  await using opened = await embeddedReadModel();
  const metrics = createMetrics({ service: "observatory", defaults: false });
  const left = new Fault(reason, { detail: "left" });
  const refusing = { ...opened.readModel, settle: () => Promise.reject(left) };
  await expect(measuredReadModel(refusing, metrics, systemClock).settle()).rejects.toBe(left);
  const text = await metrics.registry.metrics();
  expect(text).toContain('orrery_read_model_errors_total{operation="settle",service="observatory"} 0');
  expect(text).not.toContain(OPERATION);
});

test("the size of the store shows, and grows with what is stored", async () => {
  await using opened = await embeddedReadModel();
  const before = await opened.readModel.size();
  await opened.readModel.apply([1, 2, 3].map((number) => projectionOf(searchedJob(number))));
  const after = await opened.readModel.size();
  expect(after.documents - before.documents).toBe(6);
  expect(after.bytes).toBeGreaterThan(0);
  const metrics = createMetrics({ service: "observatory", defaults: false });
  const over = new AbortController();
  const showing = showSize(opened.readModel, metrics, over.signal);
  await eventually(async () => {
    expect(await metrics.registry.metrics()).toContain(
      `orrery_read_model_documents{service="observatory"} 6`,
    );
  });
  over.abort();
  await showing;
});
