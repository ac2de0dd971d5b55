// The shapes of Preact and htm, as far as the pages use them. A view is whatever `html` gives.
type View = any;
type Update<T> = (next: T | ((before: T) => T)) => void;
type Inputs = readonly unknown[];
type Effect = () => void | (() => void);

export function html(strings: TemplateStringsArray, ...values: unknown[]): View;
export function render(view: View, root: Element): void;
export const Component: any;
export const Fragment: any;
export function useState<T>(initial: T | (() => T)): [T, Update<T>];
export function useEffect(effect: Effect, inputs?: Inputs): void;
export function useLayoutEffect(effect: Effect, inputs?: Inputs): void;
export function useRef<T>(initial: T): { current: T };
export function useMemo<T>(make: () => T, inputs?: Inputs): T;
export function useCallback<F extends Function>(call: F, inputs?: Inputs): F;
export function useId(): string;
export function useErrorBoundary(): [Error | undefined, () => void];
