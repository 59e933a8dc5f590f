// Light or dark: what the person chose, else what their system says.
type Scheme = 'light' | 'dark';
const storageKey = 'finetutor-scheme';

export function chosenScheme(): Scheme | undefined {
  const chosen = localStorage.getItem(storageKey);
  return chosen === 'light' || chosen === 'dark' ? chosen : undefined;
}

export function applyScheme(scheme: Scheme | undefined): void {
  if (scheme === undefined) delete document.documentElement.dataset.scheme;
  else document.documentElement.dataset.scheme = scheme;
}

export function wireSchemeToggle(button: HTMLElement): void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const current = (): Scheme => chosenScheme() ?? (system.matches ? 'dark' : 'light');
  const name = () =>
    button.setAttribute('aria-label', current() === 'dark' ? 'Switch to light colours' : 'Switch to dark colours');
  button.addEventListener('click', () => {
    const next = current() === 'dark' ? 'light' : 'dark';
    localStorage.setItem(storageKey, next);
    applyScheme(next);
    name();
  });
  system.addEventListener('change', name);
  name();
}
