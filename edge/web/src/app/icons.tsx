/** Line drawings on a field of 20 by 20, in the colour of the text around them. */
const LINES = {
  overview: "M3 11.5a7 7 0 0 1 14 0M10 11.5l3.4-4.2M3 15.5h14",
  jobs: "M3 5h14M3 10h14M3 15h9",
  missions:
    "M4.5 6a1.8 1.8 0 1 0 0-.01M15.5 6a1.8 1.8 0 1 0 0-.01M10 14.5a1.8 1.8 0 1 0 0-.01M6.3 6h7.4M5.4 7.6l3.4 5.3M14.6 7.6l-3.4 5.3",
  queues: "M3 4.5h14v3.4H3zM3 10h14v2.6H3zM3 14.8h9",
  workers: "M4 4h12v9H4zM7.5 16.5h5M10 13v3.5M7.5 8.5h5",
  alerts: "M5 13.5V9a5 5 0 0 1 10 0v4.5l1.4 1.6H3.6zM8.3 17.2h3.4",
  keys: "M2.5 5.5h15v9h-15zM5.5 8.5h.1M8.5 8.5h.1M11.5 8.5h.1M14.5 8.5h.1M6.5 11.7h7",
  search: "M9 3.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 0 1 0-11M13 13l4 4",
} as const;

export type IconName = keyof typeof LINES;

/** An icon; the word stands beside it. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
      <path
        d={LINES[name]}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinejoin="round"
        strokeLinecap="round"
      />
    </svg>
  );
}
