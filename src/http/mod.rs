//! HTTP ⇄ flow: extract, call one flow, render.

pub mod view;
