import { RouterProvider } from "@tanstack/react-router";
import { StrictMode, useSyncExternalStore } from "react";
import { createRoot } from "react-dom/client";
import { apiKey } from "./app/api-key.ts";
import { applyAppearance } from "./app/appearance.ts";
import { router } from "./app/router.tsx";
import { SessionProvider } from "./app/session.tsx";
import { SignIn } from "./app/sign-in.tsx";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/parts.css";
import "./styles/pages.css";

function Page() {
  const secret = useSyncExternalStore(apiKey.onChange, apiKey.get);
  if (secret === "") return <SignIn />;
  return (
    <SessionProvider key={secret} secret={secret}>
      <RouterProvider router={router} />
    </SessionProvider>
  );
}

const place = document.getElementById("page");
if (place === null) throw new Error("the document has no place for the page");
applyAppearance();
createRoot(place).render(
  <StrictMode>
    <Page />
  </StrictMode>,
);
