// Loaded before anything is painted, so that a dark page never flashes white. It is no module and imports nothing;
// what it sets, src/app/appearance.ts keeps up.
(() => {
  const chosen = (name: string): string | null => {
    try {
      return localStorage.getItem(`orrery.${name}`);
    } catch {
      return null; // Storage is forbidden here: the system's own look is taken.
    }
  };
  const root = document.documentElement;
  root.dataset.theme = chosen("theme") ?? "system";
  root.dataset.density = chosen("density") ?? "cosy";
})();
