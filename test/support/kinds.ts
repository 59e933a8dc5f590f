// Takes a union by one kind, or fails saying which kind it was.

type Kinded = { readonly kind: string };

export function only<T extends Kinded, K extends T['kind']>(kind: K, value: T | undefined): Extract<T, { kind: K }> {
  if (value !== undefined && isKind(kind, value)) return value;
  throw new Error(`expected ${kind}, found ${value?.kind}`);
}

function isKind<T extends Kinded, K extends T['kind']>(kind: K, value: T): value is Extract<T, { kind: K }> {
  return value.kind === kind;
}
