//! All integration tests, in one binary: one file per noun, plus what cuts across.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail loudly")]
#![allow(clippy::indexing_slicing, clippy::panic, reason = "a test may fail loudly")]

mod devices;
mod displays;
mod readers;
mod edge;
mod door;
mod autobahn;
mod callers;
mod catalogue;
mod classic;
mod classic_requests;
mod live;
mod crash;
mod streams;
mod online;
mod fixture;
mod help;
mod people;
mod rooms;
mod roster;
mod session;
mod setup;
mod console;
mod runs;
mod server;
mod config;
mod keeping;
mod kiosk;
mod pages;
mod papers;
mod program;
mod access;
mod openapi;
mod schema;
mod lists;
mod repeats;
mod scope;
mod tidy;
mod spine;
mod store;
mod scene;
mod scans;
mod visits;
mod days;
mod laws;
mod present;
mod demo;
mod demo_live;
mod demo_program;
mod supervisions;
mod timetable;
mod tracking;
mod websocket;
mod wire;
