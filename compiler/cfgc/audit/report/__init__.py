"""``cfgc report``: bundles as one page of HTML that needs nothing else."""
