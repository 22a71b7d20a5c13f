//! Every page as Chromium shows it: on four widths, light and dark, checked by axe-core.

mod administration;
mod copy;
mod explain;
mod hostile;
mod people;
mod survey;

use self::survey::Survey;
