//! Hazards: each kind by hand, random programs against a graph of all orders, none where tokens see to it.

mod by_hand;
mod graph;
mod random;
