//! Devices: badge readers and kiosks, how they are enrolled, keyed and watched.
