/** Milliseconds that a certificate's life begins before it is made: clocks of a cluster differ. */
export const CLOCK_SKEW = 3_600_000
