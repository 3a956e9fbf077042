/** The one stylesheet; light or dark as the reader's system is. */
export const stylesheet = `:root {
  color-scheme: light dark;
  --paper: light-dark(#fcfcfa, #17191c);
  --ink: light-dark(#1c1e21, #e4e4e0);
  --soft: light-dark(#eeeeea, #22262b);
  --accent: light-dark(#0b5d6b, #6fc3d1);
}
body {
  margin: 0;
  background: var(--paper);
  color: var(--ink);
  font: 1.0625rem/1.6 system-ui, sans-serif;
}
main {
  max-width: 44rem;
  margin: 0 auto;
  padding: 3rem 1.25rem 5rem;
}
h1 {
  margin: 0 0 0.5rem;
  font-size: 2.25rem;
  letter-spacing: -0.02em;
  color: var(--accent);
}
h2 {
  margin: 2.25rem 0 0.5rem;
  font-size: 1.125rem;
}
pre {
  overflow-x: auto;
  padding: 0.875rem 1rem;
  border-radius: 0.5rem;
  background: var(--soft);
}
code {
  font: 0.9em/1.55 ui-monospace, monospace;
}
`
