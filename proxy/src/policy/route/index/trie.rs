//! A radix trie: which keys are a path's beginnings, found in one walk along the path.
//!
//! One rule: nodes stand in one list and refer to each other by place, so that a trie of any depth is built, walked
//! and dropped without recursion.

/// Keys with numbers.
#[derive(Debug)]
pub(super) struct Trie {
    /// The first is the root.
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    /// What follows the parent's key.
    label: Box<[u8]>,
    /// The first byte of a child's label and where the child stands, by byte.
    children: Vec<(u8, u32)>,
    /// The numbers of the key that ends here, in ascending order.
    numbers: Vec<u32>,
}

impl Trie {
    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::default()] }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.nodes.len() == 1 && self.nodes[0].numbers.is_empty()
    }

    /// Adds `number` to a key; numbers come in ascending order.
    pub(super) fn add(&mut self, key: &[u8], number: u32) {
        let mut at = 0;
        let mut rest = key;
        while let Some(first) = rest.first() {
            match self.nodes[at].child(*first) {
                Err(place) => {
                    let new = self.push(Node { label: rest.into(), ..Node::default() });
                    self.nodes[at].children.insert(place, (*first, new));
                    at = new as usize;
                    break;
                }
                Ok(child) => {
                    let shared = shared(&self.nodes[child].label, rest);
                    self.split(child, shared);
                    at = child;
                    rest = &rest[shared..];
                }
            }
        }
        self.nodes[at].numbers.push(number);
    }

    /// Calls `found` with the numbers of each key that `path` begins with.
    pub(super) fn walk<'a>(&'a self, path: &[u8], mut found: impl FnMut(&'a [u32])) {
        let mut node = &self.nodes[0];
        let mut rest = path;
        loop {
            if !node.numbers.is_empty() {
                found(&node.numbers);
            }
            let Some(first) = rest.first() else { return };
            let Ok(child) = node.child(*first) else { return };
            node = &self.nodes[child];
            let Some(after) = rest.strip_prefix(&*node.label) else { return };
            rest = after;
        }
    }

    /// Makes a node of the first `len` bytes of a node's label, with the rest of it below.
    fn split(&mut self, at: usize, len: usize) {
        if len == self.nodes[at].label.len() {
            return;
        }
        let mut lower = std::mem::take(&mut self.nodes[at]);
        let label: Box<[u8]> = lower.label[..len].into();
        lower.label = lower.label[len..].into();
        let first = lower.label[0];
        let below = self.push(lower);
        self.nodes[at] = Node { label, children: vec![(first, below)], numbers: Vec::new() };
    }

    fn push(&mut self, node: Node) -> u32 {
        self.nodes.push(node);
        u32::try_from(self.nodes.len() - 1).expect("keys that need four billion nodes fill no memory")
    }
}

impl Node {
    /// Where the child for a byte stands, or where it would stand among the children.
    fn child(&self, first: u8) -> Result<usize, usize> {
        let place = self.children.binary_search_by_key(&first, |(byte, _)| *byte)?;
        Ok(self.children[place].1 as usize)
    }
}

/// How many bytes two texts begin with in common.
fn shared(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
