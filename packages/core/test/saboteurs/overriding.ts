/**
 * The same object, but for the members in `lies`. One that is undefined there is missing altogether. Honest methods
 * keep their own `this`, so that private fields work.
 */
export function overriding<T extends object>(honest: T, lies: Partial<T>): T {
  return new Proxy(honest, {
    get(target, key) {
      if (Object.hasOwn(lies, key)) return Reflect.get(lies, key);
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
    has(target, key) {
      return Object.hasOwn(lies, key) ? Reflect.get(lies, key) !== undefined : Reflect.has(target, key);
    },
  });
}
