"""The node agent: it plays the instances that drowse's groups launch, as the node scripts would run on them."""
