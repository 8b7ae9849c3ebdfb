/** The input that every peer gets: 216 bytes of JSON. */
export const PAYLOAD = {
  orderId: "7f3a1c52-9b1e-4c59-8d6f-2f6f3f1f9a10",
  customer: { id: 4711, name: "Ada Lovelace", tier: "gold" },
  items: ["sku-1001", "sku-1002", "sku-1003"],
  note: "deliver before noon, ring twice, leave with the porter",
};
