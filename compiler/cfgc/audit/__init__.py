"""What a reviewer does with a bundle: look at it in other forms, compare, verify, sign, report."""
