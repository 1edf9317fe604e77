// A script of one scenario, whose limits cannot be read.
export default function () {}
