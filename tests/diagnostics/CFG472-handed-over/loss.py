def smooth(outputs, batch, weight: float = 1.0):
    return outputs


def share(outputs):
    return outputs
