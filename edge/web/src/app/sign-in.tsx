import { type FormEvent, useEffect, useRef, useState } from "react";
import { Problem } from "../api/problem.ts";
import { createReader } from "../api/read.ts";
import { Mark } from "../parts/status.tsx";
import { apiKey } from "./api-key.ts";

const isLaptop = ["127.0.0.1", "localhost", "[::1]"].includes(location.hostname);

/** Asks for an API key, tries it, and keeps it for the tabs of this page. */
export function SignIn() {
  const field = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState(apiKey.wasRefused() ? "The platform no longer takes this key." : "");
  useEffect(() => {
    document.title = "Sign in · Orrery";
    field.current?.focus();
  }, []);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const key = field.current?.value.trim() ?? "";
    if (key === "") return setTrouble("Paste a key first.");
    setBusy(true);
    setTrouble(await refusalOf(key));
    setBusy(false);
  };
  return (
    <main className="sign-in">
      <form onSubmit={(event) => void submit(event)}>
        <p className="brand-large">
          <img src={new URL("../mark.svg", import.meta.url).href} alt="" width="40" height="40" /> Orrery
        </p>
        <h1>Which project?</h1>
        <p className="dim">
          An API key says so. One that can only read is enough: this page changes nothing.
        </p>
        <label htmlFor="key">API key</label>
        <input
          id="key"
          ref={field}
          type="password"
          autoComplete="current-password"
          spellCheck={false}
          aria-invalid={trouble !== ""}
          aria-describedby={trouble === "" ? undefined : "key-trouble"}
        />
        {trouble !== "" && (
          <p id="key-trouble" role="alert" className="field-trouble">
            <Mark shape="triangle" /> {trouble}
          </p>
        )}
        <button type="submit" className="primary" disabled={busy}>
          {busy ? "Trying it …" : "Open"}
        </button>
        {isLaptop && (
          <p className="hint">
            On this machine <code>make run</code> made one:
            <code className="command">cat .orrery/projects/demo/read-key</code>
          </p>
        )}
        <p className="hint">
          The key stays in the open tabs of this page and is forgotten with the last of them.
        </p>
      </form>
    </main>
  );
}

/** Why a key cannot be used; empty once it is in use. */
async function refusalOf(key: string): Promise<string> {
  try {
    await createReader(key, () => undefined).read("getOverview");
    apiKey.set(key);
    return "";
  } catch (error) {
    if (!(error instanceof Problem)) return "This is no key.";
    if (error.status === 401) return "The platform does not know this key.";
    if (error.status === 403) return "This key may not read.";
    return error.detail || error.title;
  }
}
